package openapi

import (
	"strconv"
	"strings"

	"gatehouse/internal/openapi/tree"
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
	components := r.root.Get("components")
	names := map[string]struct{}{}
	if components != nil {
		for i := range components.Members {
			for j := range components.Members[i].Members {
				names[components.Members[i].Key+"/"+components.Members[i].Members[j].Key] = struct{}{}
			}
		}
	}
	w := walk{r, names}
	if paths := r.root.Get("paths"); paths != nil {
		for i := range paths.Members {
			w.pathItem(paths.Members[i].Key, &paths.Members[i].Node)
		}
	}
	if components == nil {
		return
	}
	for i := range components.Members {
		if key := components.Members[i].Key; !componentKeys[key] && key != "examples" {
			w.value(&components.Members[i].Node, &place{name: "components." + key})
		}
	}
}

type walk struct {
	reader *reader
	names  map[string]struct{}
}

// pathItem looks at what is OpenAPI's own.
func (w walk) pathItem(path string, item *tree.Node) {
	for i := range item.Members {
		key, n := item.Members[i].Key, &item.Members[i].Node
		switch {
		case key == "parameters":
			w.value(n, &place{name: "paths.'" + path + "'.parameters"})
		case pathKeys[key] && key != anyMethodKey && n.Kind == tree.Object:
			at := &place{name: "paths.'" + path + "'(" + key + ")"}
			for _, part := range [...]string{"parameters", "requestBody", "responses"} {
				if used := n.Get(part); used != nil {
					w.value(used, &place{at, part})
				}
			}
		}
	}
}

func (w walk) value(n *tree.Node, at *place) {
	for i := range n.Members {
		m := &n.Members[i]
		if m.Kind < tree.List {
			if m.Key == "$ref" {
				w.reference(m.Scalar, at)
			}
			continue
		}
		switch {
		case n.Kind == tree.List:
			w.value(&m.Node, &place{at, "[" + strconv.Itoa(i) + "]"})
		case m.Key == "example" || m.Key == "examples" || m.Key == "default" && at.name != "responses" || m.Key == "enum" || strings.HasPrefix(m.Key, "x-"):
			// Data, where $ref means what it likes.
		case m.Key == "content":
			// AWS leaves the media type out.
			next := &place{at, m.Key}
			for j := range m.Members {
				w.value(&m.Members[j].Node, next)
			}
		default:
			w.value(&m.Node, &place{at, m.Key})
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
	if _, there := w.names[section+"/"+tree.Unescape(name)]; !there {
		w.reader.parseIssue(at.String(), ".", ref, " is missing")
	}
}
