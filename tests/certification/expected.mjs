// Findings of the suite that are expected: by plan (a prefix of its name), module, and condition. Each has its reason.
// A finding that no row describes makes the run fail, and so does a row that a whole run of its plan does not need.
export const EXPECTED = [];
