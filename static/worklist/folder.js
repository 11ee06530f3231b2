// The files in what was dropped, folders and their folders included.

// A system's own files (.DS_Store and the like) are nobody's film; everything else is sent, and refused in words.
export function isFilm(file) {
  return !file.name.startsWith(".") && !["Thumbs.db", "desktop.ini"].includes(file.name);
}

export async function droppedFiles(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.());  // now: later the list is empty
  if (!entries.some((entry) => entry?.isDirectory)) return [...transfer.files];
  return filesOfAll(entries.filter(Boolean));
}

async function filesOfAll(entries) {
  return (await Promise.all(entries.map(filesOf))).flat();
}

async function filesOf(entry) {
  const unreadable = () => [new File([], entry.name)];  // it gets a row of its own, and says that it is empty
  if (entry.isFile) return new Promise((resolve, reject) => entry.file(resolve, reject)).then((file) => [file], unreadable);
  return entriesIn(entry.createReader()).then(filesOfAll, unreadable);
}

async function entriesIn(reader) {
  const inside = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));  // a hundred at most
    if (!some.length) break;
    inside.push(...some);
  }
  return inside.sort((one, other) => one.name.localeCompare(other.name));
}
