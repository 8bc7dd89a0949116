/** Files that the page hands to whoever looks at it. */

export function saveBlob(name: string, blob: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href));
}

export function saveText(name: string, text: string, kind = "text/plain"): void {
  saveBlob(name, new Blob([text], { type: `${kind};charset=utf-8` }));
}
