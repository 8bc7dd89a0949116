import { useQuery } from "@tanstack/react-query";
import { answered, api } from "../api/client";

export function useProfile() {
  return useQuery({ queryKey: ["profile"], queryFn: () => answered(api.GET("/api/v1/profile")) });
}

export function useFactor() {
  return useQuery({ queryKey: ["second-factor"], queryFn: () => answered(api.GET("/api/v1/auth/second-factor")) });
}
