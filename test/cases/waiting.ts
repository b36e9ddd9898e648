/** Cases that nothing in Reprise meets yet, and what each of them waits for. */
export const waiting: Readonly<Record<string, string>> = {
  "A37: a harmless edit is accepted as equivalent, on record, and the acceptance can be taken back":
    "waits for a way to accept an edit",
  "B27: a new optional parameter whose default gives what was given before leaves results in place":
    "waits for a way to accept an edit: the new parameter is an edit of the step's code, which runs it again",
  "B28: a parameter that is declared to be irrelevant to the result is no part of the key":
    "waits for an option of a step that names such parameters",
  "D10: of many items one changes, and what reduces them does not read all of them again":
    "waits for fan-out over the items of an output",
  "D11: items that are worked on in batches are reused one by one, whatever the size of a batch":
    "waits for fan-out over the items of an output",
  "D13: a fan-out over no items, over a list that a step makes, and within a fan-out is defined and cached":
    "waits for fan-out over the items of an output",
  "D20: what leads to a result that is known is neither fetched nor made when it is missing here":
    "waits for remote stores: in the store of a project, what a run names is complete, so a missing output is made again",
  "F7: what an untrusted branch has written is not read by the main one until it is reproduced":
    "waits for stores that are shared, and for trust in them",
  "F8: a blob that a remote store gives expired or in half is found by its digest, and mended":
    "waits for remote stores",
  "G7: who may not read an artifact does not get it by way of a key":
    "waits for stores that are shared, and for trust in them",
  "G9: a training with more epochs goes on from the result of the one with fewer":
    "waits for steps whose results are prefixes of others",
  "G12: a step that is interrupted late goes on from what it had saved under its key":
    "waits for checkpoints within a step",
};
