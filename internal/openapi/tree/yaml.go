package tree

import (
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxYAMLMarks bounds what makes values in YAML, a key and its value at most
// for each mark, before the library builds anything: it takes some 200 bytes a
// value.
const maxYAMLMarks = maxValues / 2

func parseYAML(Text string) (*Node, error) {
	marks := 0
	for _, mark := range [...]string{"\n", ",", "[", "{", "- ", "? "} {
		marks += strings.Count(Text, mark)
	}
	if marks > maxYAMLMarks {
		return nil, errTooMany
	}
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(Text), &root); err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(root.Content) == 0 {
		return nil, errEmpty
	}
	c := yamlConverter{anchors: map[*yaml.Node]*anchor{}}
	n, err := c.node(root.Content[0], 0)
	if err != nil {
		return nil, err
	}
	return &n, nil
}

// A yamlConverter turns the library's nodes into ours. Aliases share what they
// stand for and count as if they were written out, so that what looks at every
// value of a document has bounded work.
type yamlConverter struct {
	size
	// deepest is the depth of the deepest value since an anchor began.
	deepest int
	anchors map[*yaml.Node]*anchor
}

// A size is how many values something has, and how many bytes they are.
type size struct{ values, bytes int }

func (s *size) add(values, bytes int) error {
	if s.values, s.bytes = s.values+values, s.bytes+bytes; s.values > maxValues || s.bytes > 2*MaxBytes {
		return errTooMany
	}
	return nil
}

// An anchor is what an alias stands for; its node is nil while it is read.
type anchor struct {
	node *Node
	size
	height int
}

func (c *yamlConverter) node(y *yaml.Node, depth int) (Node, error) {
	c.deepest = max(c.deepest, depth)
	if depth > maxDepth {
		return Node{}, errTooDeep
	}
	if err := c.add(1, len(y.Value)); err != nil {
		return Node{}, err
	}
	switch {
	case y.Kind == yaml.ScalarNode:
		return scalar(y), nil
	case y.Kind == yaml.AliasNode:
		return c.alias(y, depth)
	case y.Anchor == "":
		return c.container(y, depth)
	}
	a := &anchor{}
	c.anchors[y] = a
	before, deepest := c.size, c.deepest
	c.deepest = depth
	n, err := c.container(y, depth)
	if err != nil {
		return Node{}, err
	}
	*a = anchor{&n, size{c.values - before.values, c.bytes - before.bytes}, c.deepest - depth}
	c.deepest = max(c.deepest, deepest)
	return n, nil
}

func (c *yamlConverter) alias(y *yaml.Node, depth int) (Node, error) {
	if y.Alias.Kind == yaml.ScalarNode {
		return scalar(y.Alias), c.add(0, len(y.Alias.Value))
	}
	a := c.anchors[y.Alias]
	if a == nil || a.node == nil {
		return Node{}, fmt.Errorf("line %d: the anchor %s contains itself", y.Line, y.Value)
	}
	if err := c.add(a.values, a.bytes); err != nil {
		return Node{}, err
	}
	c.deepest = max(c.deepest, depth+a.height)
	if c.deepest > maxDepth {
		return Node{}, errTooDeep
	}
	return *a.node, nil
}

func (c *yamlConverter) container(y *yaml.Node, depth int) (Node, error) {
	if y.Kind == yaml.SequenceNode {
		n := Node{Kind: List, Members: make([]Member, len(y.Content))}
		for i, item := range y.Content {
			var err error
			if n.Members[i].Node, err = c.node(item, depth+1); err != nil {
				return Node{}, err
			}
		}
		return n, nil
	}
	n := Node{Kind: Object, Members: make([]Member, 0, len(y.Content)/2)}
	var merged []Node
	for i := 0; i+1 < len(y.Content); i += 2 {
		key := y.Content[i]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if key.Kind != yaml.ScalarNode {
			return Node{}, fmt.Errorf("line %d: a key must be a string", key.Line)
		}
		if err := c.add(0, len(key.Value)); err != nil {
			return Node{}, err
		}
		value, err := c.node(y.Content[i+1], depth+1)
		if err != nil {
			return Node{}, err
		}
		if key.Tag == "!!merge" {
			merged = append(merged, value)
			continue
		}
		n.Members = append(n.Members, Member{key.Value, value})
	}
	if key, twice := duplicate(n.Members); twice {
		return Node{}, fmt.Errorf("line %d: the key %q appears twice", y.Line, key)
	}
	for _, m := range merged {
		if err := merge(&n, &m); err != nil {
			return Node{}, fmt.Errorf("line %d: %w", y.Line, err)
		}
	}
	return n, nil
}

// merge adds what a merge key (<<) names, an object or a list of objects, of
// which the first that has a key gives its value.
func merge(to, from *Node) error {
	sources := []Member{{Node: *from}}
	if from.Kind == List {
		sources = from.Members
	}
	has := make(map[string]struct{}, len(to.Members))
	for i := range to.Members {
		has[to.Members[i].Key] = struct{}{}
	}
	for i := range sources {
		if sources[i].Kind != Object {
			return errors.New("a merge key must name an object or a list of objects")
		}
		for _, m := range sources[i].Members {
			if _, there := has[m.Key]; !there {
				has[m.Key] = struct{}{}
				to.Members = append(to.Members, m)
			}
		}
	}
	return nil
}

// scalar keeps the spelling: what looks like a date, say, stays a string.
func scalar(y *yaml.Node) Node {
	switch y.ShortTag() {
	case "!!null":
		return Node{}
	case "!!bool":
		return Node{Kind: Boolean, Scalar: strings.ToLower(y.Value)}
	case "!!int", "!!float":
		return Node{Kind: Number, Scalar: y.Value}
	}
	return Node{Kind: Text, Scalar: y.Value}
}
