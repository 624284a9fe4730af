// Package arn reads and writes Amazon Resource Names. It is a leaf:
// standard library only, and it knows no service's resources.
package arn
