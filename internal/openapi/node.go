package openapi

// A kind is the type of a value.
type kind uint8

const (
	null kind = iota
	boolean
	number
	text
	list
	object
)

func (k kind) String() string {
	return [...]string{"null", "boolean", "number", "string", "array", "object"}[k]
}

// A node is a value of a document. Scalars keep their spelling, so that a
// version of 1.0 is "1.0", and objects the order of their members.
type node struct {
	kind    kind
	scalar  string
	members []member
}

// A member is a value of an object under its key, or of a list under none.
type member struct {
	key string
	node
}

// get returns the member of an object with a key, nil when there is none.
func (n *node) get(key string) *node {
	if n == nil || n.kind != object {
		return nil
	}
	for i := range n.members {
		if n.members[i].key == key {
			return &n.members[i].node
		}
	}
	return nil
}

// str returns the spelling of a scalar that isn't null.
func (n *node) str() (string, bool) {
	if n == nil || n.kind == null || n.kind >= list {
		return "", false
	}
	return n.scalar, true
}

// strings returns the spellings of a list of scalars.
func (n *node) strings() ([]string, bool) {
	if n == nil || n.kind != list {
		return nil, false
	}
	all := make([]string, len(n.members))
	for i := range n.members {
		s, ok := n.members[i].str()
		if !ok {
			return nil, false
		}
		all[i] = s
	}
	return all, true
}

// duplicate returns a key that an object has twice.
// UNVERIFIED: that AWS refuses such documents.
func duplicate(members []member) (string, bool) {
	const few = 8
	if len(members) <= few {
		for i := range members {
			for j := range i {
				if members[i].key == members[j].key {
					return members[i].key, true
				}
			}
		}
		return "", false
	}
	seen := make(map[string]struct{}, len(members))
	for i := range members {
		if _, again := seen[members[i].key]; again {
			return members[i].key, true
		}
		seen[members[i].key] = struct{}{}
	}
	return "", false
}
