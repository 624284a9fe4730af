package openapi

import (
	"net/url"
	"strconv"
	"strings"
)

// A place is where the reference walk is, written down only when a reference
// turns out to be missing.
type place struct {
	up   *place
	name string
}

func (p *place) String() string {
	if p.up == nil {
		return p.name
	}
	return p.up.String() + "." + p.name
}

// references warns of references to components that don't exist. HTTP APIs use
// none of them, but AWS says when they are missing.
func (r *reader) references() {
	components := r.root.get("components")
	names := map[string]struct{}{}
	if components != nil {
		for i := range components.members {
			for j := range components.members[i].members {
				names[components.members[i].key+"/"+components.members[i].members[j].key] = struct{}{}
			}
		}
	}
	w := walk{r, names}
	if paths := r.root.get("paths"); paths != nil {
		for i := range paths.members {
			w.pathItem(paths.members[i].key, &paths.members[i].node)
		}
	}
	if components == nil {
		return
	}
	for i := range components.members {
		if key := components.members[i].key; !componentKeys[key] && key != "examples" {
			w.value(&components.members[i].node, &place{name: "components." + key})
		}
	}
}

type walk struct {
	reader *reader
	names  map[string]struct{}
}

// pathItem looks at what is OpenAPI's own.
func (w walk) pathItem(path string, item *node) {
	for i := range item.members {
		key, n := item.members[i].key, &item.members[i].node
		switch {
		case key == "parameters":
			w.value(n, &place{name: "paths.'" + path + "'.parameters"})
		case pathKeys[key] && key != anyMethodKey && n.kind == object:
			at := &place{name: "paths.'" + path + "'(" + key + ")"}
			for _, part := range [...]string{"parameters", "requestBody", "responses"} {
				if used := n.get(part); used != nil {
					w.value(used, &place{at, part})
				}
			}
		}
	}
}

func (w walk) value(n *node, at *place) {
	for i := range n.members {
		m := &n.members[i]
		if m.kind < list {
			if m.key == "$ref" {
				w.reference(m.scalar, at)
			}
			continue
		}
		switch {
		case n.kind == list:
			w.value(&m.node, &place{at, "[" + strconv.Itoa(i) + "]"})
		case m.key == "example" || m.key == "examples" || m.key == "default" && at.name != "responses" || m.key == "enum" || strings.HasPrefix(m.key, "x-"):
			// Data, where $ref means what it likes.
		case m.key == "content":
			// AWS leaves the media type out.
			next := &place{at, m.key}
			for j := range m.members {
				w.value(&m.members[j].node, next)
			}
		default:
			w.value(&m.node, &place{at, m.key})
		}
	}
}

func (w walk) reference(ref string, at *place) {
	pointer, ok := strings.CutPrefix(ref, "#/components/")
	if !ok || w.reader.full() {
		return
	}
	section, rest, _ := strings.Cut(pointer, "/")
	name, _, _ := strings.Cut(rest, "/")
	if _, there := w.names[section+"/"+unescape(name)]; !there {
		w.reader.parseIssue(at.String(), ".", ref, " is missing")
	}
}

// unescape undoes the escapes of a part of a reference (RFC 6901 and 3986).
func unescape(part string) string {
	if !strings.ContainsAny(part, "~%") {
		return part
	}
	if plain, err := url.PathUnescape(part); err == nil {
		part = plain
	}
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
}
