// Package plan is what requests run: an immutable snapshot of every API, stage
// and route, the matching of a request to one of them, and the Exchange, which
// is one request's trip.
//
// It imports the standard library only. Package compile builds a Plan from the
// stored definitions and swaps it in; serve loads it once per request and runs
// the steps. A Plan is never written after it was published: it shares what
// did not change with its predecessor. What must outlive a swap (buckets,
// connections, warm functions) has an owner elsewhere and is found by an id.
package plan
