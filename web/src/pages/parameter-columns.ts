/** The columns of the table of parameters. */

import type { ParameterRow } from "../api/types";
import { cutsDrawing } from "../draw/glyph";
import type { Palette } from "../draw/palette";
import { toSvg } from "../draw/surface";
import { cuts } from "../math/layout";
import { bytes, mapText, shapeText, upTo } from "../math/words";
import { place } from "../place.svelte";
import type { Column } from "../ui/table";

export function parameterColumns(palette: Palette): readonly Column<ParameterRow>[] {
  return [
    {
      id: "cuts_drawn",
      title: "",
      value: () => null,
      glyph: (r) => toSvg(cutsDrawing(r.storage, r.shape, palette), `cuts of ${r.name}`),
      width: "44px",
    },
    {
      id: "name",
      title: "name",
      value: (r) => r.name,
      full: (r) => r.name,
      href: (r) => place.href("tensor", { parameter: r.name }),
      width: "minmax(150px, 2.4fr)",
    },
    {
      id: "shape",
      title: "shape",
      value: (r) => shapeText(r.shape),
      full: (r) => `${shapeText(r.shape)}, ${r.dtype}`,
      mono: true,
      width: "minmax(104px, 1.2fr)",
    },
    {
      id: "slice_shape",
      title: "slice shape",
      value: (r) => upTo(r.storage) + shapeText(r.slice_shape),
      mono: true,
      width: "minmax(104px, 1.2fr)",
      hint: "What each rank keeps",
    },
    {
      id: "dev_mat",
      title: "device matrix",
      value: (r) => shapeText(r.storage.dev_mat),
      mono: true,
      width: "minmax(96px, 0.9fr)",
    },
    {
      id: "tensor_map",
      title: "tensor map",
      value: (r) => mapText(r.storage.tensor_map),
      mono: true,
      width: "minmax(88px, 0.9fr)",
      hint: "For each axis the device axis that cuts it; -1 for none",
    },
    {
      id: "cuts",
      title: "cuts",
      value: (r) => cuts(r.storage).join(" × "),
      width: "84px",
      hint: "Into how many slices each axis is cut",
    },
    { id: "copies", title: "copies", value: (r) => r.copies, align: "end", width: "58px" },
    {
      id: "slice_bytes",
      title: "per rank",
      value: (r) => r.slice_bytes,
      text: (r) => bytes(r.slice_bytes),
      full: (r) => `${upTo(r.storage)}${r.slice_bytes} bytes`,
      align: "end",
      width: "82px",
    },
    {
      id: "whole_bytes",
      title: "whole",
      value: (r) => r.whole_bytes,
      text: (r) => bytes(r.whole_bytes),
      full: (r) => `${r.whole_bytes} bytes`,
      align: "end",
      width: "82px",
    },
  ];
}
