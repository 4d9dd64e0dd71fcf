// Package fscut cuts the power of real file systems: their own ioctl stops them
// as a loss of power would, or the disk below them goes.
package fscut
