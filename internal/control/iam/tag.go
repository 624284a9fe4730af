package iam

import (
	"slices"
	"strings"

	api "gatehouse/internal/awsapi/iam"
)

// maxTags is how many tags one thing can have.
const maxTags = 50

// sameKey compares tag keys, which IAM does whatever their case.
func sameKey(a, b *string) bool { return strings.EqualFold(value(a), value(b)) }

// merge returns the tags with more added or put in their place.
func merge(tags, more []api.Tag) ([]api.Tag, error) {
	out := slices.Clone(tags)
	for i, t := range more {
		if slices.ContainsFunc(more[:i], func(o api.Tag) bool { return sameKey(o.Key, t.Key) }) {
			return nil, invalidInput("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		if strings.HasPrefix(strings.ToLower(value(t.Key)), "aws:") {
			return nil, invalidInput("Tag keys cannot start with the reserved prefix aws:.")
		}
		t = api.Tag{Key: t.Key, Value: new(value(t.Value))}
		if at := slices.IndexFunc(out, func(o api.Tag) bool { return sameKey(o.Key, t.Key) }); at >= 0 {
			out[at] = t
			continue
		}
		out = append(out, t)
	}
	if len(out) > maxTags {
		return nil, limitExceeded("The number of tags has reached the maximum limit.")
	}
	return out, nil
}

// without returns the tags whose keys aren't named.
func without(tags []api.Tag, keys []string) []api.Tag {
	left := slices.DeleteFunc(slices.Clone(tags), func(t api.Tag) bool {
		return slices.ContainsFunc(keys, func(k string) bool { return sameKey(t.Key, &k) })
	})
	if len(left) == 0 {
		return nil
	}
	return left
}

// tagPage cuts a page out of the tags, by key.
func tagPage(p *pager, tags []api.Tag) []api.Tag {
	byKey := map[string]api.Tag{}
	var keys []string
	for _, t := range tags {
		byKey[*t.Key] = t
		keys = append(keys, *t.Key)
	}
	slices.Sort(keys)
	out := []api.Tag{}
	pageOf(p, keys, func(key string) { out = append(out, byKey[key]) })
	return out
}
