package paging

import "sort"

// Slice cuts one page out of items, which must be sorted by name: those after
// the name the token holds, at most limit of them (all of them when limit is
// zero or less). The token it returns continues behind the page and is empty
// at the end.
func Slice[T any](items []T, name func(T) string, token string, limit int) (page []T, next string, err error) {
	after, err := Decode(token)
	if err != nil {
		return nil, "", err
	}
	if len(after) > 1 {
		return nil, "", ErrBadToken
	}
	if len(after) == 1 {
		from := sort.Search(len(items), func(i int) bool { return name(items[i]) > after[0] })
		items = items[from:]
	}
	if limit <= 0 || len(items) <= limit {
		return items, "", nil
	}
	page = items[:limit:limit]
	return page, Encode(name(page[limit-1])), nil
}
