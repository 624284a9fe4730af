// Package store keeps what users defined: typed documents in serialisable
// transactions, each with the revision that wrote it, and a feed of changes.
//
// A document is an AWS shape, or a small struct around one, stored as JSON by
// member name. A Kind says where a type of document lives and how: sealed at
// rest, or versioned, so that a deployment can be read as of its revision. One
// writer at a time runs; what it did is on disk when Update returns, and
// Options.Prepare sees every change before it commits, which is where compile
// builds the plan.
//
// The engines are behind Backend: store/sqlite today. It imports neither
// control nor any data-plane package. The next stop of a change is compile.
package store
