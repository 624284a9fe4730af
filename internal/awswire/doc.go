// Package awswire is the handwritten protocol runtime under the generated
// packages of awsapi. It takes an HTTP request apart as restJson1, awsJson 1.0
// and 1.1, awsQuery and restXml prescribe, checks it against the service
// model's constraints, calls the operation, and writes the answer or the error
// as AWS words them.
//
// It owns no AWS resource and must not import control, store, compile or any
// data-plane package. A management request's next stop is the operation table
// of awsapi/<service>, then control/<service>.
package awswire
