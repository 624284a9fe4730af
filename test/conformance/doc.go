// Package conformance holds AWS's behaviour as data and runs it: each case says
// what to set up, what to ask, what AWS answers and how that is known.
//
// The cases are the YAML files in http/, rest/ and websocket/; README.md describes
// their language and how to run them against another endpoint. The parts, in the
// order of a run:
//
//   - corpus.go reads the files,
//   - world.go knows the endpoint that is examined and makes functions in it,
//   - scene.go makes the log groups and APIs that a file or a case needs,
//     restapi.go the REST APIs, socketapi.go the WebSocket APIs,
//   - aws.go calls AWS operations, request.go sends raw HTTP requests,
//     socket.go raw WebSocket frames,
//   - backend.go is what HTTP integrations reach,
//   - case.go runs a case, log.go looks at logs, saw.go at
//     what functions and the backend got; expect.go, text.go and document.go compare.
package conformance
