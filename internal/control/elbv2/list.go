package elbv2

import (
	"fmt"

	"gatehouse/internal/store"
)

// maxPage is how many items a page has.
const maxPage = 400

// page cuts a page out of a list that is in order. key is an item's place.
func page[T any](all []T, key func(*T) string, marker *string, size *int32) ([]T, *string, error) {
	limit := maxPage
	if size != nil {
		if *size < 1 || *size > maxPage {
			return nil, nil, invalid(fmt.Sprintf("Page size must be between 1 and %d", maxPage))
		}
		limit = int(*size)
	}
	from := 0
	if m := value(marker); m != "" {
		for from < len(all) && key(&all[from]) <= m {
			from++
		}
	}
	all = all[from:]
	if len(all) <= limit {
		return all, nil, nil
	}
	return all[:limit], new(key(&all[limit-1])), nil
}

// every reads all documents of a kind below a prefix.
func every[T any](tx *store.Tx, s store.Scope, kind store.Kind[T], prefix ...string) ([]*T, error) {
	var all []*T
	for e, err := range kind.All(tx, s, prefix...) {
		if err != nil {
			return nil, err
		}
		all = append(all, e.Doc)
	}
	return all, nil
}
