package compile

import "fmt"

// A Problem is why a definition can't run. Other errors of this package are
// failures to read the store.
type Problem struct {
	// Subject is the part that is wrong, as in "Integration abc1234".
	Subject string
	Cause   error
}

func (p *Problem) Error() string { return p.Subject + ": " + p.Cause.Error() }

// Unwrap returns the cause.
func (p *Problem) Unwrap() error { return p.Cause }

func problem(kind, id string, cause error) error {
	return &Problem{Subject: fmt.Sprintf("%s %s", kind, id), Cause: cause}
}
