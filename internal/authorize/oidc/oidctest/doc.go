// Package oidctest is an issuer of tokens for tests: an OpenID Connect provider
// on loopback that does what it is told, and signs what it is given.
package oidctest
