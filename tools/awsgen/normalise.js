// Turns the tuples of a schema file into plain JSON. The names in shapeNames
// are the variables of the file; each is a tuple as described in tuples.go.
(function (values) {
  function ref(s) {
    if (typeof s === "function") s = s();
    if (s === "unit") return { unit: true };
    if (typeof s === "number") return { sentinel: s };
    if (!Array.isArray(s)) throw new Error("not a schema: " + JSON.stringify(s));
    if (s.length === 2 && typeof s[1] !== "string") {
      var r = ref(s[0]);
      return Object.assign({}, r, { traits: s[1] });
    }
    switch (s[0]) {
      case 0: return { head: 0, name: s[2], shapeTraits: s[3], sentinel: s[4] };
      case 1: return { head: 1, name: s[2], shapeTraits: s[3], element: ref(s[4]) };
      case 2: return { head: 2, name: s[2], shapeTraits: s[3], key: ref(s[4]), element: ref(s[5]) };
      case 3: case -3: case 4: return { head: s[0], name: s[2], shapeTraits: s[3] };
    }
    throw new Error("unknown tuple head " + s[0]);
  }
  return JSON.stringify(values.map(function (s) {
    if (s[0] === 9) return { head: 9, name: s[2], shapeTraits: s[3], input: ref(s[4]), output: ref(s[5]) };
    if (s[0] === 3 || s[0] === -3 || s[0] === 4) {
      return { head: s[0], namespace: s[1], name: s[2], shapeTraits: s[3], memberNames: s[4], members: s[5].map(ref), required: s[6] || 0 };
    }
    throw new Error("unknown top-level head " + s[0] + " of " + s[2]);
  }));
})
