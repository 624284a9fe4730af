// Who is where. This function is asked by the other one alone; it keeps its
// answer in memory, and its reserved concurrency of 1 makes that one memory.
//
// Functions share none: every event that arrives while another is being handled
// gets an environment (a process) of its own. One memory for all therefore
// means one environment, and so that conversations don't wait for it, it does
// nothing but this: no call of it takes longer than looking something up.
// Giving the chat function itself a concurrency of 1 would not do: events over
// it aren't queued, they fail, and while a message goes out to a room's members
// no other would be taken.
//
// When the environment ends (an idle one does after some minutes) everybody is
// in no room any more. Clients that are told so join again: page.html does.
// What has to last longer belongs into a database; only this file would change.

const rooms = new Map(); // of a room's name: { members: Map(connection id, name), said: count of messages }
const roomOf = new Map(); // of a connection id: the name of its room

const operations = {
  // join puts a connection into a room, under a name nobody has there.
  join({ id, room, name }) {
    const taken = [...(rooms.get(room)?.members ?? [])].some(([other, its]) => its === name && other !== id);
    if (taken) return { taken };
    const left = operations.leave({ id });
    if (!rooms.has(room)) rooms.set(room, { members: new Map(), said: 0 });
    rooms.get(room).members.set(id, name);
    roomOf.set(id, room);
    return { ...view(id), left };
  },

  // say counts a message of a connection and tells who gets it; null when the
  // connection is in no room. Messages sent shortly after each other are handled
  // at the same time, so that their order on the way out isn't certain: the
  // count says what it was.
  say({ id }) {
    if (!roomOf.has(id)) return null;
    rooms.get(roomOf.get(id)).said++;
    return view(id);
  },

  // leave takes a connection out of its room and tells who is left there; null
  // when it was in none.
  leave({ id }) {
    if (!roomOf.has(id)) return null;
    const seen = view(id);
    const { members } = rooms.get(seen.room);
    members.delete(id);
    roomOf.delete(id);
    if (members.size === 0) rooms.delete(seen.room);
    return { ...seen, names: [...members.values()], ids: [...members.keys()] };
  },
};

// view is a connection's room.
function view(id) {
  const room = roomOf.get(id);
  const { members, said } = rooms.get(room);
  return { room, name: members.get(id), said, names: [...members.values()], ids: [...members.keys()] };
}

export const handler = async ({ operation, ...input }) => operations[operation](input);
