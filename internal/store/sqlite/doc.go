// Package sqlite is the store's engine on one machine: a SQLite file in the
// data directory, written ahead and synced at every commit. It owns the file's
// layout and the directory's lock, and imports nothing of the project but
// store.
package sqlite
