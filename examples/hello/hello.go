// Package hello holds the sources of the hello example, so that the program can
// create it without the repository at hand. main.tf is the same thing for
// Terraform.
package hello

import _ "embed"

// Function is the source of the function behind GET /hello, a file index.mjs.
//
//go:embed function/index.mjs
var Function []byte
