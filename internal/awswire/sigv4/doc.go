// Package sigv4 reads, verifies and makes AWS Signature Version 4 signatures,
// in the Authorization header and in presigned query form.
//
// It is a leaf: management (awswire) and traffic with AWS_IAM authorization
// share it, each mapping its errors to their own wording. It knows no users and
// no policies; the caller looks the secret up between Parse and Verify.
package sigv4
