// Package seal encrypts small secrets at rest: AES-256-GCM under a key from a
// file that only the owner can read, or one the operator gives. It imports the
// standard library only; store uses it for its sealed kinds.
package seal
