// Package codestore keeps the code of functions and layers: archives in files
// named by the hash of their content, synced before their name is given out,
// and unpacked at most once into read-only directories.
//
// Archives come from strangers. Nothing of one is written outside the directory
// it is unpacked into, and no more than its limits allow whatever its headers
// claim. The package imports the standard library only; control/lambda stores
// and function runs what is here.
package codestore
