package function

import "os"

// reexecName is argv[0] of a process that sets up an isolated environment.
const reexecName = "gatehouse-function"

// ReexecMain must be the first call of main (and of TestMain in tests that use isolation): in a process that was
// started to set up an isolated environment it never returns, in any other it does nothing.
func ReexecMain() {
	if len(os.Args) > 0 && os.Args[0] == reexecName {
		supervise()
	}
}
