package transform

// The bytes of names: of headers, of variables in a route's path and of stage
// variables.
var (
	inToken         = makeSet("!#$%&'*+-.^_`|~")
	inPathVariable  = makeSet("_.:-")
	inStageVariable = makeSet("_")
	// inReference and inMessageReference have what references without braces
	// consist of, those to the context and the stage and those to the message.
	inReference        = makeSet("._")
	inMessageReference = makeSet("._-")
)

// makeSet makes the set of the letters and digits of ASCII, and of marks.
func makeSet(marks string) (set [256]bool) {
	for c := '0'; c <= '9'; c++ {
		set[c] = true
	}
	for c := 'a'; c <= 'z'; c++ {
		set[c], set[c-'a'+'A'] = true, true
	}
	for i := range len(marks) {
		set[marks[i]] = true
	}
	return set
}

// isName tells whether a name is made of the bytes of a set.
func isName(name string, set *[256]bool) bool {
	for i := range len(name) {
		if !set[name[i]] {
			return false
		}
	}
	return name != ""
}
