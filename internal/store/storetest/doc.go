// Package storetest is the suite every store backend passes: isolation, writers
// that exclude each other, order and paging, the change feed, pins and AsOf
// against a naive model, sealed kinds and unknown members.
package storetest
