// Package access decides management calls: what an operation does to what, in
// the words of policies, and whether the caller's policies let it.
//
// A file for each service says which IAM action an operation is and which ARNs
// it is about; services that have none are asked about by the name of the
// operation and the ARNs in its input. What a document says is policy's, whose
// documents apply is control/sts's. docs/ACCESS.md tells users.
package access
