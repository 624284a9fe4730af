package apigateway

import (
	"errors"

	"gatehouse/internal/paging"
	"gatehouse/internal/store"
)

// The number of items on a page: when limit doesn't say, and at most.
const (
	defaultPage = 25
	maxPage     = 500
)

// A pageRequest is how this service asks for a page.
type pageRequest struct {
	limit    *int32
	position *string
}

// size returns how many items the page may have.
func (p pageRequest) size() int {
	if p.limit == nil || *p.limit < 1 {
		return defaultPage
	}
	return min(int(*p.limit), maxPage)
}

// list returns one page of the documents below prefix and the next position,
// nil at the end. item turns an entry into what the answer carries.
func list[T, Item any](tx *store.Tx, s store.Scope, kind store.Kind[T], p pageRequest, item func(store.Entry[T]) Item, prefix ...string) ([]Item, *string, error) {
	return listWhere(tx, s, kind, p, func(*T) bool { return true }, item, prefix...)
}

// listWhere is list of the documents that keep wants.
func listWhere[T, Item any](tx *store.Tx, s store.Scope, kind store.Kind[T], p pageRequest, keep func(*T) bool, item func(store.Entry[T]) Item, prefix ...string) ([]Item, *string, error) {
	size := p.size()
	items := make([]Item, 0, size)
	next := value(p.position)
	var last []string // the id of the last item
	for {
		entries, following, err := kind.ListToken(tx, s, next, size+1, prefix...)
		if errors.Is(err, paging.ErrBadToken) {
			// UNVERIFIED: the words.
			return nil, nil, badRequest("Invalid position specified")
		}
		if err != nil {
			return nil, nil, err
		}
		for _, e := range entries {
			if !keep(e.Doc) {
				continue
			}
			if len(items) == size {
				return items, new(paging.Encode(last...)), nil
			}
			items, last = append(items, item(e)), e.ID
		}
		if next = following; next == "" {
			return items, nil, nil
		}
	}
}
