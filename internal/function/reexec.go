package function

// ReexecMain must be the first call of main (and of TestMain in tests that use isolation): in a process that was
// started to set up an isolated environment it never returns, in any other it does nothing.
func ReexecMain() {
}
