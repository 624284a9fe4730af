// Package archtest holds the rules of the house as tests: which package may
// import which, that every package says what it is, and that nothing runs or
// changes behind the caller's back (no init functions, no variables a package
// writes). It has no other code; docs/ARCHITECTURE.md draws what it enforces.
package archtest
