// Package compile turns stored definitions into the plan that requests run. It
// is the only bridge between the two planes: it reads store and definition,
// and builds plan with the constructors of the step packages. It says why when
// something can't run.
//
// A Compiler follows the store: Load builds everything once, Prepare runs
// inside each transaction and builds what it changes, so that an edit of one
// route costs the depth of the route tree. What it publishes is one immutable
// plan behind one atomic pointer, which serve loads once per request.
//
// It must not import control, serve or a store engine.
package compile
