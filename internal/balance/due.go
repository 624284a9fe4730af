package balance

// waiting is a target that waits to be checked.
type waiting struct {
	target *Target
	group  *Group
}

// dueTargets are a heap: what is due first comes first. The Balancer is locked.
type dueTargets []waiting

func (d dueTargets) Len() int           { return len(d) }
func (d dueTargets) Less(i, j int) bool { return d[i].target.due.Before(d[j].target.due) }
func (d dueTargets) Swap(i, j int)      { d[i], d[j] = d[j], d[i] }

// Push is for package heap.
func (d *dueTargets) Push(w any) { *d = append(*d, w.(waiting)) }

// Pop is for package heap.
func (d *dueTargets) Pop() any {
	last := len(*d) - 1
	w := (*d)[last]
	(*d)[last] = waiting{}
	*d = (*d)[:last]
	return w
}
