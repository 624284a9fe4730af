// Package chat holds the sources of the chat example, so that the program can
// create it without the repository at hand. main.tf is the same thing for
// Terraform.
package chat

import (
	"embed"
	"io/fs"
)

//go:embed function
var files embed.FS

// Code returns the files of the functions, which share one zip.
func Code() fs.FS {
	code, err := fs.Sub(files, "function")
	if err != nil {
		panic(err) // the name is a valid one
	}
	return code
}
