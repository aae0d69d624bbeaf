/* A problem as people read it: what is wrong, what to do, and below it the ways out that the page puts in the slot. */
Component({
  properties: { problem: { type: Object, value: null } },
});
