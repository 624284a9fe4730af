package plan

// A Tree finds the route of a method and a path.
type Tree struct{ _ [0]func() }
