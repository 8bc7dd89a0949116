import { createTheme, type MantineColorsTuple } from "@mantine/core";

/** Mantine's ten steps of dark in the hue of our panes, so that overlays do not stand neutral beside them. */
const DARK: MantineColorsTuple = [
  "#e6ebf2",
  "#c3ccd8",
  "#9aa7b8",
  "#8391a5",
  "#263140",
  "#1e2732",
  "#171e27",
  "#11161d",
  "#0b0f14",
  "#080b0f",
];
const ACCENT: MantineColorsTuple = [
  "#e8f1ff",
  "#cfe1ff",
  "#a9caff",
  "#82b3ff",
  "#6ba6ff",
  "#5b9dff",
  "#3d7fe6",
  "#1f62d0",
  "#1a52ae",
  "#143f86",
];

export const theme = createTheme({
  colors: { dark: DARK, accent: ACCENT },
  primaryColor: "accent",
  primaryShade: { dark: 5, light: 7 },
  autoContrast: true,
  fontFamily: '"Inter Variable", system-ui, sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SFMono-Regular", "DejaVu Sans Mono", Menlo, Consolas, monospace',
  fontSizes: { xs: "11px", sm: "12px", md: "13px", lg: "15px", xl: "19px" },
  defaultRadius: 4,
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    Button: { defaultProps: { size: "xs", h: 28, variant: "filled" } },
    TextInput: { defaultProps: { size: "xs" } },
    PasswordInput: { defaultProps: { size: "xs" } },
    NativeSelect: { defaultProps: { size: "xs" } },
    NumberInput: { defaultProps: { size: "xs" } },
    Textarea: { defaultProps: { size: "xs" } },
    Checkbox: { defaultProps: { size: "xs" } },
    Switch: { defaultProps: { size: "xs" } },
    SegmentedControl: { defaultProps: { size: "xs", transitionDuration: 0 } },
    Select: { defaultProps: { size: "xs", allowDeselect: false, comboboxProps: { transitionProps: { duration: 0 } } } },
    Modal: { defaultProps: { transitionProps: { duration: 0 }, centered: true } },
    Tooltip: { defaultProps: { withArrow: false, transitionProps: { duration: 0 }, events: { hover: true, focus: true, touch: true } } },
  },
});
