package tree

// A Kind is the type of a value.
type Kind uint8

// The kinds of values, scalars first.
const (
	Null Kind = iota
	Boolean
	Number
	Text
	List
	Object
)

// String is the kind's name in a JSON schema.
func (k Kind) String() string {
	return [...]string{"null", "boolean", "number", "string", "array", "object"}[k]
}

// A Node is a value of a document. Scalars keep their spelling, so that a
// version of 1.0 is "1.0", and objects the order of their members.
type Node struct {
	Kind    Kind
	Scalar  string
	Members []Member
}

// A Member is a value of an object under its key, or of a list under none.
type Member struct {
	Key string
	Node
}

// Get returns the member of an object with a key, nil when there is none, as
// there is in nothing.
func (n *Node) Get(key string) *Node {
	if n == nil || n.Kind != Object {
		return nil
	}
	for i := range n.Members {
		if n.Members[i].Key == key {
			return &n.Members[i].Node
		}
	}
	return nil
}

// Str returns the spelling of a scalar that isn't null.
func (n *Node) Str() (string, bool) {
	if n == nil || n.Kind == Null || n.Kind >= List {
		return "", false
	}
	return n.Scalar, true
}

// Strings returns the spellings of a list of scalars.
func (n *Node) Strings() ([]string, bool) {
	if n == nil || n.Kind != List {
		return nil, false
	}
	all := make([]string, len(n.Members))
	for i := range n.Members {
		s, ok := n.Members[i].Str()
		if !ok {
			return nil, false
		}
		all[i] = s
	}
	return all, true
}

// duplicate returns a key that an object has twice.
// UNVERIFIED: that AWS refuses such documents.
func duplicate(members []Member) (string, bool) {
	const few = 8
	if len(members) <= few {
		for i := range members {
			for j := range i {
				if members[i].Key == members[j].Key {
					return members[i].Key, true
				}
			}
		}
		return "", false
	}
	seen := make(map[string]struct{}, len(members))
	for i := range members {
		if _, again := seen[members[i].Key]; again {
			return members[i].Key, true
		}
		seen[members[i].Key] = struct{}{}
	}
	return "", false
}
