// Package function runs Lambda functions as local processes: a pool of warm environments per published version, the
// bootstraps of the managed runtimes, the Lambda Runtime API for custom ones, isolation, limits and log lines.
//
// It knows neither stored definitions nor plans: who wants a function run hands over a [Spec] and an [Invocation].
// It imports the standard library and golang.org/x/sys only.
//
// The walk of an invocation: [Manager.Invoke] counts it against the concurrency limits, its pool hands out an
// environment (warm, or started for it), the environment's runtime carries the event to the process and the answer
// back, and the log lines of the invocation are written to the environment's log stream.
package function
