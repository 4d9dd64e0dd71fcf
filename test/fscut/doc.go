// Package fscut cuts the power of real file systems, by their own ioctl for
// shutdown or by removing the disk below them.
package fscut
