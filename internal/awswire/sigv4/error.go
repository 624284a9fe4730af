package sigv4

// A Reason says why a signature was refused.
type Reason uint8

// The reasons of refusal.
const (
	// Missing: the request carries no signature at all.
	Missing Reason = iota
	// Incomplete: the signature cannot be read.
	Incomplete
	// WrongScope: the credential scope isn't one of this place or this day.
	WrongScope
	// Mismatch: the signature isn't what the secret makes of the request.
	Mismatch
	// Expired: the time of signing is too long ago.
	Expired
	// NotYetValid: the time of signing is in the future.
	NotYetValid
	// PresignExpired: a presigned request outlived itself.
	PresignExpired
)

// An Error is a refusal. Message is worded as AWS words it.
type Error struct {
	Reason  Reason
	Message string
	// Canonical and StringToSign are what should have been signed, for a Mismatch
	// that came of comparing; else "".
	Canonical, StringToSign string
}

func (e *Error) Error() string { return e.Message }

func incomplete(message string) error { return &Error{Reason: Incomplete, Message: message} }
