package store

import (
	"iter"
	"reflect"
)

// A Kind is one type of document: where it lives and how it is kept. Kinds are
// values declared beside the type they store.
type Kind[T any] struct {
	// Name is the stored name, as in "apigatewayv2/route"; it never changes.
	Name string
	// Sealed documents are encrypted at rest.
	Sealed bool
	// Versioned documents can be read as of a pinned revision. The first part of
	// their id is the root that Pin names.
	Versioned bool
	// Version is the format version that Put writes; documents with a greater one
	// are refused.
	Version int
	// Upgrade turns the JSON of an older format version into the present one's.
	// Nil means that older documents are read as they are.
	Upgrade func(version int, body []byte) ([]byte, error)
}

// A kind is what of a Kind has nothing to do with its type. There are many kinds,
// and generic code is compiled for each of them: it calls this.
type kind struct {
	Name      string
	Sealed    bool
	Versioned bool
	Version   int
	Upgrade   func(version int, body []byte) ([]byte, error)
}

// An Entry is a document with its key and the revision that wrote it.
type Entry[T any] struct {
	Key
	Revision int64
	Doc      *T
}

// Page asks for a part of a list.
type Page struct {
	// After is the id of the last entry of the page before; nil starts the list.
	After []string
	// Limit is the greatest number of entries; zero is no limit.
	Limit int
}

// Get returns the document with the id, or ErrNotFound.
func (k Kind[T]) Get(tx *Tx, s Scope, id ...string) (*T, error) {
	e, err := k.Entry(tx, s, id...)
	return e.Doc, err
}

// Entry is Get with the revision that wrote the document.
func (k Kind[T]) Entry(tx *Tx, s Scope, id ...string) (Entry[T], error) {
	f, err := kind(k).get(tx, s, id, newDoc[T])
	return entryOf[T](f), err
}

// Exists tells whether there is a document with the id.
func (k Kind[T]) Exists(tx *Tx, s Scope, id ...string) (bool, error) {
	return kind(k).exists(tx, s, id)
}

// Put writes the document with the id, new or not. JSON members of a document
// it replaces that T doesn't know, at any depth of nested objects, stay as they
// were. Writing what is already there changes nothing, not even the revision.
func (k Kind[T]) Put(tx *Tx, s Scope, doc *T, id ...string) error {
	return kind(k).put(tx, s, doc, reflect.TypeFor[T](), id)
}

// Delete removes the document with the id, or returns ErrNotFound.
func (k Kind[T]) Delete(tx *Tx, s Scope, id ...string) error {
	return kind(k).delete(tx, s, id)
}

// DeleteAll removes every document of the kind whose id begins with prefix and
// tells how many there were.
func (k Kind[T]) DeleteAll(tx *Tx, s Scope, prefix ...string) (int, error) {
	return kind(k).deleteAll(tx, s, prefix)
}

// List returns one page of the documents whose id begins with prefix, by id.
func (k Kind[T]) List(tx *Tx, s Scope, page Page, prefix ...string) ([]Entry[T], error) {
	list, err := kind(k).list(tx, s, page, prefix, newDoc[T])
	return entriesOf[T](list), err
}

// ListToken is List for AWS's list operations: it continues from the opaque
// token of the page before ("" is the start) and returns the next one ("" at
// the end). A token that isn't one, or is another list's, is paging.ErrBadToken.
func (k Kind[T]) ListToken(tx *Tx, s Scope, token string, limit int, prefix ...string) ([]Entry[T], string, error) {
	list, next, err := kind(k).listToken(tx, s, token, limit, prefix, newDoc[T])
	return entriesOf[T](list), next, err
}

// All yields every document whose id begins with prefix, by id. The loop may
// write; it sees its own writes ahead of it or not.
func (k Kind[T]) All(tx *Tx, s Scope, prefix ...string) iter.Seq2[Entry[T], error] {
	return typed[T](kind(k).all(tx, s, prefix, newDoc[T]))
}

// Everywhere yields every document of the kind in every scope, by account,
// region and id.
func (k Kind[T]) Everywhere(tx *Tx) iter.Seq2[Entry[T], error] {
	return typed[T](kind(k).everywhere(tx, newDoc[T], nil))
}

// Readable is Everywhere for those whom one bad document mustn't stop: what is
// damaged is left out, and skip is told why. What a newer release wrote is an
// error all the same.
func (k Kind[T]) Readable(tx *Tx, skip func(key Key, err error)) iter.Seq2[Entry[T], error] {
	return typed[T](kind(k).everywhere(tx, newDoc[T], skip))
}

// A found is an Entry of no type: doc is what newDoc made, or nil.
type found struct {
	Key
	revision int64
	doc      any
}

func newDoc[T any]() any { return new(T) }

func entryOf[T any](f found) Entry[T] {
	doc, _ := f.doc.(*T)
	return Entry[T]{Key: f.Key, Revision: f.revision, Doc: doc}
}

func entriesOf[T any](list []found) []Entry[T] {
	var entries []Entry[T]
	for _, f := range list {
		entries = append(entries, entryOf[T](f))
	}
	return entries
}

func typed[T any](seq iter.Seq2[found, error]) iter.Seq2[Entry[T], error] {
	return func(yield func(Entry[T], error) bool) {
		for f, err := range seq {
			if !yield(entryOf[T](f), err) {
				return
			}
		}
	}
}
