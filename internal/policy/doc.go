// Package policy reads IAM policy documents: what they must look like, in the
// words AWS refuses them with, and who a role's trust policy lets in.
//
// It is a leaf: it knows no store, no service and no HTTP, so that the control
// plane and the authorizers of traffic share one reading of a document.
package policy
