// Package lint pins golangci-lint. It is a module of its own, as what
// golangci-lint requires would raise the versions of the other tools.
package lint
