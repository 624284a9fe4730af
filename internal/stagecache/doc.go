// Package stagecache keeps the responses that stages of REST APIs cache: what AWS
// calls the cache cluster of a stage. A Cluster outlives plans, whose methods
// refer to it; Caches own all of them, bound the memory of all together and know
// by which ids the clusters of a stage go.
//
// A hit takes a read lock of a sixteenth of its cluster and copies nothing. What is
// kept is one piece that nobody writes to again, so it may still be on its way to
// a client when it is evicted. Room is made by the clock algorithm within a
// cluster; where all clusters together have too much, the largest of a few gives
// way: a stage that strangers flood pays with its own responses.
//
// It imports plan alone. What a key is made of, package transform/rest says; serve
// asks before a method's integration is called, and package compile puts clusters
// on methods.
package stagecache
