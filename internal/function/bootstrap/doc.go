// Package bootstrap holds the programs that run inside a function's process and load its handler: one for Node, one
// for Python. They talk to package function in the frames that its frame.go describes.
package bootstrap

import "embed"

// Files are the bootstraps: node.cjs and python.py.
//
//go:embed node.cjs python.py
var Files embed.FS
