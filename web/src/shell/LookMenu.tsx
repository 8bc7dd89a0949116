import { ActionIcon, Menu, useMantineColorScheme } from "@mantine/core";
import { SunMoon } from "lucide-react";
import { useState } from "react";
import { DENSITY_LABEL, PRESET_LABEL, SCHEME_LABEL, SCHEMES } from "../theme/labels";
import { applyPreferences, DENSITIES, type Preferences, PRESETS, storedPreferences } from "../theme/preferences";

/** Theme, colours of direction and height of rows; each applies at once. */
export function LookMenu() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const [chosen, choose] = useState(storedPreferences);
  const change = (next: Preferences) => {
    applyPreferences(next);
    choose(next);
  };
  return (
    <Menu position="bottom-end" transitionProps={{ duration: 0 }}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size={28} aria-label="Look">
          <SunMoon size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Theme</Menu.Label>
        <Choice values={SCHEMES} labels={SCHEME_LABEL} value={colorScheme} onChange={setColorScheme} />
        <Menu.Divider />
        <Menu.Label>Colours of direction</Menu.Label>
        <Choice
          values={PRESETS}
          labels={PRESET_LABEL}
          value={chosen.preset}
          onChange={(preset) => change({ ...chosen, preset })}
        />
        <Menu.Divider />
        <Menu.Label>Tables</Menu.Label>
        <Choice
          values={DENSITIES}
          labels={DENSITY_LABEL}
          value={chosen.density}
          onChange={(density) => change({ ...chosen, density })}
        />
      </Menu.Dropdown>
    </Menu>
  );
}

interface ChoiceProps<V extends string> {
  values: readonly V[];
  labels: Record<V, string>;
  value: V;
  onChange: (value: V) => void;
}

function Choice<V extends string>({ values, labels, value, onChange }: ChoiceProps<V>) {
  return (
    <Menu.RadioGroup value={value} onChange={(next) => onChange(next as V)}>
      {values.map((one) => (
        <Menu.RadioItem key={one} value={one}>
          {labels[one]}
        </Menu.RadioItem>
      ))}
    </Menu.RadioGroup>
  );
}
