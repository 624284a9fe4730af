package access

import (
	"strconv"
	"strings"
	"time"

	"gatehouse/internal/awswire"
	"gatehouse/internal/policy"
)

// keys are the condition keys of a management call.
type keys struct {
	call      *awswire.Call
	action    *awswire.Action
	need      *need
	principal policy.Keys
}

// Lookup implements policy.Keys.
func (k *keys) Lookup(key string) ([]string, bool) {
	if values, ok := k.need.keys[key]; ok {
		return values, true
	}
	if tag, ok := strings.CutPrefix(key, "aws:requesttag/"); ok {
		return k.requestTag(tag)
	}
	if name, ok := strings.CutPrefix(key, gatewayRequestKeys); ok {
		return gatewayKey(k.action.Input, name)
	}
	switch key {
	case "aws:sourceip":
		return one(k.call.SourceIP)
	case "aws:securetransport":
		return one(strconv.FormatBool(k.call.Secure))
	case "aws:currenttime":
		return one(k.call.Time.UTC().Format(time.RFC3339))
	case "aws:epochtime":
		return one(strconv.FormatInt(k.call.Time.Unix(), 10))
	case "aws:requestedregion":
		return one(k.call.Region)
	case "aws:useragent":
		return one(k.action.UserAgent)
	case "aws:referer":
		return one(k.action.Referer)
	case "aws:tagkeys":
		return k.tagKeys()
	}
	return k.principal.Lookup(key)
}

func one(value string) ([]string, bool) {
	if value == "" {
		return nil, false
	}
	return []string{value}, true
}

func (k *keys) requestTag(name string) ([]string, bool) {
	for _, t := range tagsOf(k.action.Input) {
		if strings.EqualFold(t.key, name) {
			return []string{t.value}, true
		}
	}
	return nil, false
}

// tagKeys are the tags that a request sets or takes away.
func (k *keys) tagKeys() ([]string, bool) {
	names := texts(k.action.Input, "TagKeys")
	for _, t := range tagsOf(k.action.Input) {
		names = append(names, t.key)
	}
	return names, len(names) > 0
}
