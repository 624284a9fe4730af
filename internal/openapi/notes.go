package openapi

import (
	"strings"

	"gatehouse/internal/openapi/tree"
)

// maxNotes bounds all that is said of a document, in bytes. What is said names
// paths and keys, so it could be very much longer than the document.
const maxNotes = tree.MaxBytes

// A notebook takes down what is said of a document.
type notebook struct {
	infos, warnings, problems []string
	written                   int
}

// full tells that no more is taken down; such a document is refused.
func (b *notebook) full() bool { return b.written > maxNotes }

// line joins the parts of a note, unless the notebook is full.
func (b *notebook) line(to *[]string, parts ...string) {
	for _, part := range parts {
		b.written += len(part)
	}
	if !b.full() {
		*to = append(*to, strings.Join(parts, ""))
	}
}

// info notes what is legal and ignored.
func (b *notebook) info(parts ...string) { b.line(&b.infos, parts...) }

// warn notes what is wrong and left out.
func (b *notebook) warn(parts ...string) { b.line(&b.warnings, parts...) }

// parseIssue warns of a place that isn't as OpenAPI has it.
func (b *notebook) parseIssue(parts ...string) {
	b.line(&b.warnings, append([]string{"Parse issue: attribute "}, parts...)...)
}

// fail notes an error: with one, nothing is imported.
func (b *notebook) fail(parts ...string) { b.line(&b.problems, parts...) }

// failIssue is fail for a place that isn't as OpenAPI has it.
func (b *notebook) failIssue(parts ...string) {
	b.line(&b.problems, append([]string{"Parse issue: attribute "}, parts...)...)
}
