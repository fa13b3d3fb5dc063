// The file of verdicts: JSON Lines, the sample's name first, a checksum last.

// Verdicts of one reviewer as text. `said` holds {verdicts, comment} by an item's id.
function writeFile(sample, reviewer, said) {
  const rows = sample.items.filter(({ id }) => hasSaid(said[id])).map(({ id }) => {
    const { verdicts, comment } = said[id];
    return { id, verdicts, comment: wellFormed(comment) };
  });
  const head = { sample: sample.sample, reviewer, items: sample.items.length };
  const body = [head, ...rows].map((row) => JSON.stringify(row) + "\n").join("");
  return body + JSON.stringify({ end: rows.length, sha256: sha256(body) }) + "\n";
}

// What a file of verdicts holds, {reviewer, said}; throws an Error that tells what is wrong with it.
function readFile(sample, text) {
  const lines = text.replace(/^\ufeff/, "").replace(/\r\n/g, "\n").trimEnd().split("\n");
  let rows;
  try {
    rows = lines.map((line) => JSON.parse(line));
  } catch {
    throw new Error("This is no file of verdicts, or it was cut off.");
  }
  const [head, end] = [rows[0], rows.at(-1)];
  if (!head?.sample || end?.end !== rows.length - 2) throw new Error("This file was cut off.");
  if (end.sha256 !== sha256(lines.slice(0, -1).join("\n") + "\n")) {
    throw new Error("This file was changed after it was saved.");
  }
  if (head.sample !== sample.sample) throw new Error("This file belongs to another page.");
  const said = rows.slice(1, -1).map(({ id, verdicts, comment }) => [id, { verdicts, comment }]);
  return { reviewer: head.reviewer, said: Object.fromEntries(said) };
}

function hasSaid(item) {
  return Boolean(item && (Object.keys(item.verdicts).length || item.comment.trim()));
}

function wellFormed(text) {
  return text.replace(/\p{Surrogate}/gu, "\ufffd"); // half an emoji is no text
}

// What can be seen of a name: it is printed in tables later.
function cleanName(text) {
  return wellFormed(text).replace(/[\p{Cc}\p{Cf}]/gu, "").trim();
}

function download(name, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/x-ndjson" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function fileName(sample, reviewer) {
  const plain = reviewer.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "");
  return `${plain || "review"}-${sample.sample.slice(0, 8)}.jsonl`;
}
