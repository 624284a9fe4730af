// Package lambda answers the Lambda management API: functions, versions,
// aliases, layers, resource policies, concurrency, tags and invocation.
//
// It owns the stored definitions of functions and the [Directory], the
// in-memory form of what can be invoked. Traffic finds functions there by ARN
// and never touches the store. It must not import the data plane; the runtime,
// the code files, the role's keys and the log groups are reached through the
// small interfaces in options.go.
//
// A change walks: awswire decodes, one file here checks it and changes the
// stored shapes in one transaction, [Directory.Prepare] turns the changed
// documents into runnable specs, commit publishes them.
package lambda
