// Package policy reads IAM policy documents and decides by them: what they must
// look like, in the words AWS refuses them with, and what one, or all that bind
// a caller and guard a resource, say of a request.
//
// Parse prepares a document once; asking it parses nothing and, as long as it
// has no variables, allocates nothing. [Document.Decide] asks one document,
// [Subject.Decide] a caller's own, [Evaluate] both sides.
//
// It is a leaf: it knows no store, no service and no HTTP, so that the control
// plane and the authorizers of traffic share one reading of a document.
package policy
