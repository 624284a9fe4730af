package rest

import "strings"

// A notebook takes down what is said of a document. All of it together is no
// longer than a document may be: it names paths and keys, so it could be very
// much longer than the document it is about.
type notebook struct {
	warnings, problems []string
	written            int
}

func (b *notebook) full() bool { return b.written > MaxBytes }

func (b *notebook) line(to *[]string, parts []string) {
	for _, part := range parts {
		b.written += len(part)
	}
	if !b.full() {
		*to = append(*to, strings.Join(parts, ""))
	}
}

// warn notes what is wrong, and left out or read otherwise.
func (b *notebook) warn(parts ...string) { b.line(&b.warnings, parts) }

// fail notes an error: with one, nothing is imported.
func (b *notebook) fail(parts ...string) { b.line(&b.problems, parts) }

// issue is fail for a place that isn't as OpenAPI has it.
func (b *notebook) issue(parts ...string) {
	b.line(&b.problems, append([]string{"Parse issue: attribute "}, parts...))
}

// failed begins the message of an error that lists problems.
const failed = "Errors found during import:\n\t"

// message is what AWS answers when there are problems.
func (b *notebook) message() string {
	if b.full() {
		return failed + "There is too much to say about the document"
	}
	return failed + strings.Join(b.problems, "\n\t")
}
