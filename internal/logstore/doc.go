// Package logstore keeps log events in files of its own, since an access log
// line must not cost a transaction: per group an append-only series of
// segments of bounded size, each a run of checksummed batches, beside a small
// file that names the group's streams.
//
// Append puts events into a bounded queue and never waits for a disk; a writer
// of the store's own carries them to files a few times a second and syncs those
// once a second. A power cut can take the last second; what it tore at the end
// of a file is cut off when the group is next used.
//
// It imports the standard library only. What a group is called, keeps and costs
// is in the definitions, with control/logs.
package logstore
